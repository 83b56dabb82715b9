"""What the report says, from records, odd ones included."""

from osteometa.figures.style import new_figure, put, save, set_up


def test_texts_of_a_figure_are_not_rounded_with_its_places(tmp_path):
    words = "p < 0.001; p = 0.426; τ² = 0.000137"
    set_up()
    figure, axes = new_figure(89, 30)
    put(axes, 3.123456, 10, words)
    axes.plot([0.1234567, 1], [2, 3], gid="square:trial_2016.2000.bmd")
    save(figure, tmp_path / "words")
    svg = (tmp_path / "words.svg").read_text(encoding="utf-8")
    assert words.replace("<", "&lt;") in svg
    assert 'id="square:trial_2016.2000.bmd"' in svg
