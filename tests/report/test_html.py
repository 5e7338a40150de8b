"""Markup is escaped unless it was made here."""

import json

import pytest

from dex.report._html import Html, element, join, printable, script_json, table, text


def test_text_is_escaped_once():
    once = text('<a href="x">&')
    assert once == "&lt;a href=&quot;x&quot;&gt;&amp;"
    assert text(once) == once


def test_attributes_are_escaped_and_zero_is_kept():
    made = element("p", "a", title='"><script>', data_n=0, hidden=True, id=None, class_="b")
    assert made == '<p title="&quot;&gt;&lt;script&gt;" data-n="0" hidden class="b">a</p>'


def test_children_are_escaped_unless_html():
    assert element("p", "<", Html("<br>"), 1, None) == "<p>&lt;<br>1</p>"
    assert join(("<", Html("<br>")), "&") == "&lt;&amp;<br>"


def test_void_elements_are_not_closed():
    assert element("img", src="data:,") == '<img src="data:,">'


@pytest.mark.parametrize("nasty", ["</script>", "<!--", "\u2028", "a&b", "]]>"])
def test_json_in_a_script_is_the_same_value_and_no_markup(nasty):
    written = script_json({"name": nasty})
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == {"name": nasty}


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ud800", "\uffff"])
def test_what_html_cannot_hold_is_replaced(character):
    assert printable(f"a{character}b") == "a\ufffdb"
    assert "\ud800" not in script_json(f"a{character}")


def test_tables_have_a_header_and_scroll():
    made = table(("a", "<b>"), [(1234, "x")], caption="what")
    assert '<th scope="col">&lt;b&gt;</th>' in made
    assert '<td class="n">1,234</td><td>x</td>' in made
