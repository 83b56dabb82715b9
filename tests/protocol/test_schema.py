from osteometa.protocol.schema import PATH, schema


def test_the_schema_is_that_of_the_model():
    assert PATH.read_text(encoding="utf-8") == schema()


def test_editors_find_the_schema_from_config_yaml(root=PATH.parents[2]):
    first, _ = (root / "config.yaml").read_text(encoding="utf-8").split("\n", 1)
    assert first == f"# yaml-language-server: $schema={PATH.relative_to(root).as_posix()}"
