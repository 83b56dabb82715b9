# make = set up and run the review; make test = set up and test; make docs = the documentation site.
# Everything else is in the script.
.PHONY: review setup test docs lock clean
review:
	@sh workflow/setup.sh review
setup:
	@sh workflow/setup.sh setup
test:
	@sh workflow/setup.sh test
	@echo "The browser checks of the report were skipped: they run in .ci/run."
docs:
	@sh workflow/setup.sh docs
lock:
	@sh workflow/setup.sh lock
clean:
	@sh workflow/setup.sh clean
