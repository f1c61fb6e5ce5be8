use super::blocks::{BLOCK_BYTES, SECTION_BLOCKS};
use super::*;
use crate::random::SplitMix64;

fn all(source: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    read(source, &mut |section| blocks.extend(section.blocks));
    blocks
}

fn texts(source: &str) -> Vec<String> {
    all(source).into_iter().map(|block| block.text).collect()
}

#[test]
fn blocks_are_told_apart_by_tags_and_keep_their_spans() {
    let source = "<!doctype html><title>T</title><body>\n<h2>A <i>title</i></h2> <p>One\n  two <a href=x>three</a>.\
        <p>Four<ul><li>Five<li>Six</ul>Seven<br>eight<br><br>nine<table><tr><td>Ten<td>Eleven</table>";
    let blocks = all(source);
    let found: Vec<(&str, &str)> =
        blocks.iter().map(|block| (block.text.as_str(), &source[block.span.clone()])).collect();
    let expected = [
        ("A title", "A <i>title"),
        ("One two three.", "One\n  two <a href=x>three</a>."),
        ("Four", "Four"),
        ("Five", "Five"),
        ("Six", "Six"),
        ("Seven eight", "Seven<br>eight"),
        ("nine", "nine"),
        ("Ten", "Ten"),
        ("Eleven", "Eleven"),
    ];
    assert_eq!(found, expected);
    assert_eq!((blocks[0].heading, blocks[1].heading), (2, 0));
    assert_eq!((blocks[1].words, blocks[1].link_words), (3, 1));
    assert!(blocks[3].inside & hint::LIST != 0 && blocks[5].inside & hint::LIST == 0);
    assert!(blocks[8].inside & hint::TABLE != 0);
}

#[test]
fn references_are_decoded_and_blanks_at_the_edge_are_outside_the_span() {
    let source = "<p>&nbsp; caf&eacute; &amp;&#160;bar &nbsp;</p><pre>\n a\n  b &lt;\n</pre><p>&nbsp;</p>";
    let blocks = all(source);
    assert_eq!(blocks.len(), 2);
    assert_eq!(
        (blocks[0].text.as_str(), &source[blocks[0].span.clone()]),
        ("café & bar", "caf&eacute; &amp;&#160;bar")
    );
    assert_eq!((blocks[1].text.as_str(), &source[blocks[1].span.clone()]), ("a\n  b <", "a\n  b &lt;"));
}

#[test]
fn what_shows_no_text_is_left_out() {
    let source = "<head><title>T</title><style>p{}</style></head><script>var a = '<p>no</p>';</script><svg><text>no</text>\
        <title>no</title></svg><template><p>no</p></template><textarea>no</textarea><!-- no --><select><option>no</select>yes";
    assert_eq!(texts(source), ["yes"]);
}

#[test]
fn text_for_browsers_without_scripts_is_read_once() {
    let source = "<div>a<noscript><p>b</div><noscript>c</noscript>d</div>";
    let blocks = all(source);
    let found: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(found, ["a", "b", "d"]);
    assert_eq!(&source[blocks[1].span.clone()], "b");
    assert!(blocks[1].inside & hint::NO_SCRIPT != 0 && blocks[2].inside & hint::NO_SCRIPT == 0);
    let nested = "<noscript>".repeat(100_000);
    assert!(texts(&nested).is_empty());
}

#[test]
fn stray_end_tags_end_nothing_around_their_cell_or_block() {
    let source = "<nav><table><tr><td>a</div></nav-x>b</td></tr></table><p>c</span></nav><p>d</p></span>e";
    let in_nav: Vec<(String, bool)> =
        all(source).into_iter().map(|block| (block.text, block.inside & hint::NAV != 0)).collect();
    let expected = [("a", true), ("b", true), ("c", true), ("d", false), ("e", false)];
    assert_eq!(in_nav, expected.map(|(text, inside)| (text.to_owned(), inside)));
}

#[test]
fn tags_roles_and_classes_tell_where_a_block_stands() {
    let hints = |source: &str| all(source)[0].inside;
    assert!(hints("<div role=navigation>a") & hint::NAV != 0);
    assert!(hints("<ol class='comment-list'><li>a") & hint::COMMENTS != 0);
    assert!(hints("<article class='post comments-open'><p>a") & hint::COMMENTS == 0);
    assert!(hints("<div style='display: none'>a") & hint::HIDDEN != 0);
    assert!(hints("<div hidden>a") & hint::HIDDEN != 0);
    assert!(hints("<div itemprop=articleBody>a") & hint::BODY_PROPERTY != 0);
    assert!(hints("<body class='sidebar'><p>a") & hint::SIDE == 0);
}

#[test]
fn a_long_text_is_cut_at_blanks_and_every_piece_keeps_its_place() {
    let source = format!("<p>{}</p>", "word ".repeat(20_000));
    let blocks = all(&source);
    assert!(blocks.len() > 4);
    for block in &blocks {
        assert!(block.text.len() <= BLOCK_BYTES);
        assert_eq!(source[block.span.clone()], block.text);
    }
    assert_eq!(blocks.iter().map(|block| block.words).sum::<u32>(), 20_000);
}

/// A quadratic step anywhere would make each of these take minutes.
#[test]
fn hostile_pages_take_linear_time_and_bounded_sections() {
    let repeated = |text: &str| text.repeat(2_000_000 / text.len());
    let pages = [
        repeated("<div>"),
        repeated("<div>a"),
        repeated("<b>a"),
        repeated("<p>a"),
        repeated("<li>a<ul>"),
        repeated("<td><table>a"),
        repeated("</div>"),
        repeated("<div>") + &repeated("</p>"),
        repeated("<x-y>a</z>"),
        format!("<p {}>a", repeated("a=b ")),
        format!("<p class='{}'>a", repeated("ab-cd ")),
        format!("<p>{}", repeated("a<br>")),
        format!("<p>{}", repeated("&amp;")),
        format!("<script>{}", repeated("</")),
        format!("<!--{}", repeated("--!")),
        format!("<a>{}", repeated("word")),
        format!("<pre>{}", repeated("\n<i>x")),
        repeated("<noscript><p>a"),
        repeated("<svg><p>a"),
    ];
    for page in pages {
        read(&page, &mut |section| {
            assert!(section.blocks.len() <= SECTION_BLOCKS);
            assert!(section.blocks.iter().all(|block| block.text.len() <= 3 * BLOCK_BYTES));
        });
    }
}

#[test]
fn no_bytes_break_the_reader_and_spans_stay_in_order() {
    const PIECES: [&str; 40] = [
        "<",
        ">",
        "</",
        "/>",
        "<p>",
        "</p>",
        "<div class='comment nav'>",
        "</div>",
        "<li>",
        "<td>",
        "<table>",
        "</table>",
        "<br>",
        "<pre>",
        "</pre>",
        "<noscript>",
        "</noscript>",
        "<script>",
        "</script>",
        "<title>",
        "</title>",
        "<svg>",
        "<svg/>",
        "</svg>",
        "<a href=\"",
        "\"",
        "'",
        "=",
        "&nbsp;",
        "&#0;",
        "&notin",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "\u{a0}",
        "é\u{200b}",
        "word ",
        "\n",
        "\0",
    ];
    let mut random = SplitMix64::new(5);
    for _ in 0..3000 {
        let source: String = (0..random.below(40)).map(|_| PIECES[random.below(PIECES.len())]).collect();
        let mut last = 0;
        for block in all(&source) {
            let part = source.get(block.span.clone()).unwrap_or_else(|| panic!("{source:?}: {:?}", block.span));
            assert!(!block.text.trim().is_empty() && !part.is_empty(), "{source:?}");
            assert!(block.span.start >= last, "{source:?}");
            assert!(block.link_words <= block.words);
            last = block.span.end;
        }
    }
}
