# make = set up and run the review (make REVIEW=FOLDER: that in FOLDER); make test = set up and test;
# make docs = the documentation site. Everything else is in the script.
.PHONY: review setup test test-fast lint types docs lock upgrade clean
review:
	@REVIEW="$(REVIEW)" sh workflow/setup.sh review
test:
	@sh workflow/setup.sh test
	@echo "The browser checks of the report were skipped: they run in .ci/run."
setup test-fast lint types docs lock upgrade clean:
	@sh workflow/setup.sh $@
