# make = set up and run the review; make test = set up and test. Everything else is in the script.
.PHONY: review setup test lock clean
review:
	@sh workflow/setup.sh review
setup:
	@sh workflow/setup.sh setup
test:
	@sh workflow/setup.sh test
	@echo "The browser checks of the report were skipped: they run in .ci/run."
lock:
	@sh workflow/setup.sh lock
clean:
	@sh workflow/setup.sh clean
