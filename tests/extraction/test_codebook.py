from osteometa.extraction.codebook import PATH, codebook


def test_the_codebook_is_that_of_the_models():
    assert PATH.read_text(encoding="utf-8") == codebook()
