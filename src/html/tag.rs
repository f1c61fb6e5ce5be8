//! What a tag does to the text in it.

/// How an element stands among the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Its text runs on in the block around it.
    Inline,
    /// Its text is a block of its own.
    Block,
    /// It has no content.
    Void,
    /// It shows no text.
    Skipped,
}

/// What is known of an element's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub flow: Flow,
    /// What the name says of the text in the element, as bits of [`hint`].
    pub hints: u64,
    /// The number by which the network knows it; see [`group`].
    pub group: u8,
}

/// Groups of elements, for the facts of a block.
pub(super) mod group {
    pub const OTHER: u8 = 0;
    pub const DIVISION: u8 = 1;
    pub const PARAGRAPH: u8 = 2;
    pub const HEADING: u8 = 3;
    pub const ITEM: u8 = 4;
    pub const CELL: u8 = 5;
    pub const PREFORMATTED: u8 = 6;
    pub const QUOTE: u8 = 7;
    pub const TERM: u8 = 8;
    pub const INLINE: u8 = 9;
    pub const CAPTION: u8 = 10;
    pub const CONTROL: u8 = 11;
    pub const SECTION: u8 = 12;
    pub const LIST: u8 = 13;
    pub const TABLE: u8 = 14;
    pub const UNKNOWN: u8 = 15;
}

/// What tags, roles and words of class and id say of the text below them.
pub(super) mod hint {
    pub const NAV: u64 = 1;
    pub const ASIDE: u64 = 1 << 1;
    pub const HEADER: u64 = 1 << 2;
    pub const FOOTER: u64 = 1 << 3;
    pub const MAIN: u64 = 1 << 4;
    pub const ARTICLE: u64 = 1 << 5;
    pub const FORM: u64 = 1 << 6;
    pub const CONTROL: u64 = 1 << 7;
    pub const DIALOG: u64 = 1 << 8;
    pub const TABLE: u64 = 1 << 9;
    pub const LIST: u64 = 1 << 10;
    pub const PREFORMATTED: u64 = 1 << 11;
    pub const QUOTE: u64 = 1 << 12;
    pub const FIGURE: u64 = 1 << 13;
    pub const DETAILS: u64 = 1 << 14;
    pub const LINK: u64 = 1 << 15;
    pub const HIDDEN: u64 = 1 << 16;
    pub const SKIPPED: u64 = 1 << 17;
    pub const COMMENTS: u64 = 1 << 18;
    pub const POST: u64 = 1 << 19;
    pub const MENU: u64 = 1 << 20;
    pub const SIDE: u64 = 1 << 21;
    pub const FOOT: u64 = 1 << 22;
    pub const HEAD: u64 = 1 << 23;
    pub const RELATED: u64 = 1 << 24;
    pub const SHARE: u64 = 1 << 25;
    pub const ADVERT: u64 = 1 << 26;
    pub const CONSENT: u64 = 1 << 27;
    pub const BODY: u64 = 1 << 28;
    pub const META: u64 = 1 << 29;
    pub const PRODUCT: u64 = 1 << 30;
    pub const REVIEW: u64 = 1 << 31;
    pub const SIGNUP: u64 = 1 << 32;
    pub const CARD: u64 = 1 << 33;
    pub const SCREEN_READER: u64 = 1 << 34;
    pub const BODY_PROPERTY: u64 = 1 << 35;
    pub const PROPERTY: u64 = 1 << 36;
    pub const TITLE: u64 = 1 << 37;
    pub const BOLD: u64 = 1 << 38;
    pub const TABS: u64 = 1 << 39;
    pub const NO_SCRIPT: u64 = 1 << 40;
    /// Bits in use.
    pub const COUNT: usize = 41;
}

const fn kind(flow: Flow, hints: u64, group: u8) -> Kind {
    Kind { flow, hints, group }
}

/// What an element of this name, in lower case, is.
pub(super) fn of(name: &[u8]) -> Kind {
    use Flow::{Block, Inline, Skipped, Void};
    match name {
        b"p" => kind(Block, 0, group::PARAGRAPH),
        b"div" | b"center" | b"address" | b"fieldset" | b"hgroup" | b"body" | b"html" | b"legend" => {
            kind(Block, 0, group::DIVISION)
        }
        b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => kind(Block, 0, group::HEADING),
        b"section" => kind(Block, 0, group::SECTION),
        b"article" => kind(Block, hint::ARTICLE, group::SECTION),
        b"main" => kind(Block, hint::MAIN, group::SECTION),
        b"nav" => kind(Block, hint::NAV, group::SECTION),
        b"aside" => kind(Block, hint::ASIDE, group::SECTION),
        b"header" => kind(Block, hint::HEADER, group::SECTION),
        b"footer" => kind(Block, hint::FOOTER, group::SECTION),
        b"menu" => kind(Block, hint::MENU | hint::LIST, group::LIST),
        b"ul" | b"ol" => kind(Block, hint::LIST, group::LIST),
        b"dl" => kind(Block, hint::LIST, group::LIST),
        b"li" => kind(Block, 0, group::ITEM),
        b"dt" | b"dd" => kind(Block, 0, group::TERM),
        b"table" => kind(Block, hint::TABLE, group::TABLE),
        b"tr" | b"thead" | b"tbody" | b"tfoot" => kind(Block, 0, group::TABLE),
        b"td" | b"th" => kind(Block, 0, group::CELL),
        b"caption" => kind(Block, hint::FIGURE, group::CAPTION),
        b"pre" | b"listing" | b"plaintext" | b"xmp" => kind(Block, hint::PREFORMATTED, group::PREFORMATTED),
        b"blockquote" => kind(Block, hint::QUOTE, group::QUOTE),
        b"figure" => kind(Block, hint::FIGURE, group::DIVISION),
        b"figcaption" => kind(Block, hint::FIGURE, group::CAPTION),
        b"form" => kind(Block, hint::FORM, group::CONTROL),
        b"button" | b"label" | b"option" => kind(Block, hint::CONTROL, group::CONTROL),
        b"details" | b"summary" => kind(Block, hint::DETAILS, group::DIVISION),
        b"dialog" => kind(Block, hint::DIALOG, group::SECTION),
        b"a" => kind(Inline, hint::LINK, group::INLINE),
        b"b" | b"strong" => kind(Inline, hint::BOLD, group::INLINE),
        b"span" | b"i" | b"em" | b"u" | b"s" | b"small" | b"big" | b"font" | b"code" | b"kbd" | b"samp" | b"var"
        | b"sub" | b"sup" | b"q" | b"cite" | b"abbr" | b"acronym" | b"dfn" | b"time" | b"mark" | b"del" | b"ins"
        | b"bdi" | b"bdo" | b"tt" | b"strike" | b"nobr" | b"data" | b"output" | b"ruby" | b"rb" => {
            kind(Inline, 0, group::INLINE)
        }
        b"head" => kind(Inline, 0, group::OTHER),
        b"br" | b"hr" | b"img" | b"input" | b"meta" | b"link" | b"base" | b"area" | b"col" | b"embed" | b"param"
        | b"source" | b"track" | b"wbr" | b"keygen" | b"frame" => kind(Void, 0, group::OTHER),
        b"script" | b"style" | b"template" | b"noembed" | b"noframes" | b"svg" | b"math" | b"iframe" | b"object"
        | b"canvas" | b"video" | b"audio" | b"map" | b"textarea" | b"title" | b"select" | b"datalist" | b"rt"
        | b"rp" => kind(Skipped, hint::SKIPPED, group::OTHER),
        b"noscript" => kind(Skipped, hint::SKIPPED | hint::NO_SCRIPT, group::DIVISION),
        // An element of its own making shows its text as `span` does; most of them hold blocks.
        _ => kind(Inline, 0, group::UNKNOWN),
    }
}

/// The level of a heading, 1 to 6; 0 for all else.
pub(super) fn heading_level(name: &[u8]) -> u8 {
    match name {
        [b'h', digit @ b'1'..=b'6'] => digit - b'0',
        _ => 0,
    }
}

/// What a word of a class or an id says.
pub(super) fn of_word(word: &[u8]) -> u64 {
    match word {
        b"comment" | b"comments" | b"commentlist" | b"commentbody" | b"disqus" | b"respond" | b"commenter"
        | b"discussion" => hint::COMMENTS,
        b"post" | b"posts" | b"thread" | b"threads" | b"topic" | b"message" | b"messages" | b"reply" | b"replies"
        | b"answer" | b"answers" | b"question" | b"forum" | b"bbp" | b"postbody" => hint::POST,
        b"menu" | b"nav" | b"navigation" | b"navbar" | b"breadcrumb" | b"breadcrumbs" | b"pagination" | b"pager"
        | b"submenu" | b"dropdown" | b"topbar" | b"toolbar" | b"toc" | b"crumbs" | b"megamenu" => hint::MENU,
        b"sidebar" | b"widget" | b"widgets" | b"rail" | b"aside" | b"side" | b"complementary" | b"secondary" => {
            hint::SIDE
        }
        b"footer" | b"foot" | b"bottom" | b"copyright" | b"colophon" | b"footnav" => hint::FOOT,
        b"header" | b"masthead" | b"banner" | b"top" | b"branding" | b"logo" => hint::HEAD,
        b"related" | b"recommended" | b"recommendations" | b"recommendation" | b"popular" | b"trending"
        | b"similar" | b"more" | b"recent" | b"latest" | b"readmore" | b"upsell" | b"crosssell" | b"suggested"
        | b"next" | b"previous" | b"prev" => hint::RELATED,
        b"share" | b"social" | b"sharing" | b"follow" | b"facebook" | b"twitter" | b"sharedaddy" | b"addtoany"
        | b"socials" => hint::SHARE,
        b"ad" | b"ads" | b"advert" | b"advertisement" | b"sponsor" | b"sponsored" | b"promo" | b"promotion"
        | b"promos" | b"adsbygoogle" | b"taboola" | b"outbrain" | b"cta" => hint::ADVERT,
        b"cookie" | b"cookies" | b"consent" | b"gdpr" | b"modal" | b"popup" | b"overlay" | b"onetrust"
        | b"lightbox" | b"toast" | b"notice" | b"alert" => hint::CONSENT,
        b"content" | b"article" | b"entry" | b"story" | b"body" | b"text" | b"prose" | b"main" | b"richtext"
        | b"rte" | b"markdown" | b"copy" | b"wysiwyg" => hint::BODY,
        b"meta" | b"byline" | b"author" | b"date" | b"timestamp" | b"tags" | b"tag" | b"category" | b"categories"
        | b"time" | b"published" | b"bio" | b"avatar" | b"dateline" | b"postmeta" => hint::META,
        b"product" | b"price" | b"prices" | b"spec" | b"specs" | b"specification" | b"specifications"
        | b"description" | b"variant" | b"cart" | b"sku" | b"quantity" | b"shipping" | b"buy" => hint::PRODUCT,
        b"review" | b"reviews" | b"rating" | b"ratings" | b"testimonial" | b"testimonials" | b"stars" => hint::REVIEW,
        b"newsletter" | b"subscribe" | b"signup" | b"login" | b"signin" | b"register" | b"subscription" | b"form"
        | b"search" | b"contact" => hint::SIGNUP,
        b"card" | b"cards" | b"grid" | b"item" | b"items" | b"teaser" | b"tile" | b"tiles" | b"carousel"
        | b"slider" | b"slide" | b"list" | b"loop" => hint::CARD,
        b"sr" | b"hidden" | b"visuallyhidden" | b"assistive" | b"skip" | b"offscreen" => hint::SCREEN_READER,
        b"title" | b"headline" | b"heading" | b"subtitle" => hint::TITLE,
        b"tab" | b"tabs" | b"accordion" | b"faq" | b"faqs" | b"collapse" | b"panel" => hint::TABS,
        _ => 0,
    }
}

/// Whether a word beside others says how something is, rather than what stands in it.
pub(super) fn is_state(word: &[u8]) -> bool {
    matches!(
        word,
        b"open"
            | b"closed"
            | b"off"
            | b"on"
            | b"no"
            | b"has"
            | b"count"
            | b"enabled"
            | b"disabled"
            | b"status"
            | b"link"
            | b"number"
            | b"icon"
            | b"with"
            | b"without"
            | b"allowed"
            | b"active"
    )
}

/// What an ARIA role says.
pub(super) fn of_role(role: &str) -> u64 {
    match role.trim().to_ascii_lowercase().as_str() {
        "navigation" | "menu" | "menubar" | "toolbar" | "menuitem" => hint::NAV,
        "complementary" => hint::ASIDE,
        "banner" => hint::HEADER,
        "contentinfo" => hint::FOOTER,
        "main" => hint::MAIN,
        "article" => hint::ARTICLE,
        "form" | "search" => hint::FORM,
        "button" | "tab" | "checkbox" | "switch" | "combobox" => hint::CONTROL,
        "dialog" | "alertdialog" | "tooltip" | "alert" => hint::DIALOG,
        "list" => hint::LIST,
        "tablist" | "tabpanel" => hint::TABS,
        "feed" | "log" => hint::POST,
        _ => 0,
    }
}

/// What a property of schema.org says.
pub(super) fn of_property(name: &str) -> u64 {
    let ends = |end: &str| name.trim().to_ascii_lowercase().ends_with(end);
    if ["articlebody", "description", "text", "reviewbody", "recipeinstructions", "recipeingredient"]
        .into_iter()
        .any(ends)
    {
        hint::BODY_PROPERTY
    } else if ["comment", "commenttext"].into_iter().any(ends) {
        hint::COMMENTS
    } else {
        hint::PROPERTY
    }
}
