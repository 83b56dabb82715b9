# make = set up and run the review (make REVIEW=FOLDER: that in FOLDER); make test = set up and test;
# make docs = the documentation site; make scale = add what a cluster and ten million
# specifications need. Everything else is in the script.
.PHONY: review setup install scale test test-fast lint types docs lock upgrade clean
review:
	@REVIEW="$(REVIEW)" exec sh workflow/setup.sh review
test:
	@sh workflow/setup.sh test
	@echo "The browser checks of the report were skipped: they run in .ci/run."
setup install scale test-fast lint types docs lock upgrade clean:
	@sh workflow/setup.sh $@
