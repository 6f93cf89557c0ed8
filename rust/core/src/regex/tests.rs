use super::*;

fn compiled(expression: &str, dialect: Dialect) -> Regex {
    Regex::in_dialect(expression.as_bytes(), dialect).expect("a regular expression")
}

/// Both ways of matching say the same.
fn matches_in(dialect: Dialect, expression: &str, text: &[u8]) -> bool {
    let mut matcher = Matcher::new(expression.as_bytes(), dialect).expect("an expression");
    let matched = matcher.matches(text);
    assert_eq!(matcher.matches(text), matched, "the table is filled now");
    assert_eq!(compiled(expression, dialect).is_match(text), matched);
    matched
}

fn matches(expression: &str, text: &[u8]) -> bool {
    matches_in(Dialect::default(), expression, text)
}

const BASIC: Dialect = Dialect { basic: true, ignores_case: false };
const FOLDED: Dialect = Dialect { basic: false, ignores_case: true };

#[test]
fn extended_syntax() {
    assert!(matches("u|U", b"sdU"));
    assert!(matches("^s(u|d)*$", b"sudud"));
    assert!(!matches("^u", b"su"));
    assert!(matches("", b""));
    assert!(matches("", b"x"));
    assert!(matches("a{2,3}b{,1}c{1,}$", b"aacc"));
    assert!(!matches("^a{2,3}b", b"aaaab"));
    assert!(matches("^()$|x)", b""));
    assert!(matches("a)", b"a)"), "nothing was opened, so nothing is closed");
    assert!(matches("\\.\\*\\\\", b".*\\"));
}

#[test]
fn basic_syntax() {
    let matches = |expression, text| matches_in(BASIC, expression, text);
    assert!(matches("a\\{2\\}\\(b\\|c\\)\\+d\\?$", b"aabcb"));
    assert!(matches("^*a+(|{", b"*a+(|{"));
    assert!(matches("a^b$c", b"a^b$c"), "no anchors in the middle");
    assert!(!matches("x\\(^a\\)", b"x^a"), "but where a group begins");
    assert!(matches("a\\|^b$", b"b"));
}

#[test]
fn brackets() {
    assert!(matches("^[]a-c-]+$", b"]b-"));
    assert!(matches("^[^]a]$", b"b"));
    assert!(matches("^[[:alpha:][.-.][=x=]_]+$", b"a-x_"));
    assert!(!matches("[[:digit:]]", b"x"));
    assert!(matches("^[\\]$", b"\\"), "a backslash is one like others in there");
    assert!(matches("^[\x01-\x7f]$", b"q"));
    assert!(matches_in(FOLDED, "^[A-C][[:upper:]]x$", b"bzX"));
    assert!(!matches_in(FOLDED, "[^a]", b"A"));
}

#[test]
fn what_is_escaped_is_folded_too() {
    assert!(matches_in(FOLDED, "\\ab", b"Ab"));
    assert!(matches_in(FOLDED, "x\\W", b"X-"), "but not what is no letter");
    assert!(!matches_in(FOLDED, "x\\W", b"xw"));
}

#[test]
fn words_and_edges() {
    assert!(matches("\\<ab\\>", b"x ab."));
    assert!(!matches("\\bb", b"ab"));
    assert!(matches("\\Bb\\b", b"ab"));
    assert!(matches("^\\w+\\W\\s\\S$", b"a_1 \tx"));
    assert!(matches("\\`a\\'", b"a"));
    assert!(!matches("\\`a\\'", b"ba"));
}

#[test]
fn bytes_are_bytes() {
    assert!(matches("^..$", &[0xff, 0x80]));
    assert!(!matches("a.b", b"a\0b"), "a dot is no NUL");
    assert!(matches("a[^x]b", b"a\0b"));
    assert!(matches("a.b", b"a\nb"));
    assert!(matches("\u{e9}", "caf\u{e9}".as_bytes()));
}

#[test]
fn the_place_of_a_match_is_the_leftmost_and_there_the_longest() {
    for (expression, text, place) in [
        ("d|O+", "suOOd", Some(2..4)),
        ("a|ab|abc", "xabcabc", Some(1..4)),
        ("b*", "aab", Some(0..0)),
        ("x", "aab", None),
        ("(a|ab)(c|bcd)", "abcd", Some(0..4)),
        ("$", "ab", Some(2..2)),
    ] {
        let regex = compiled(expression, Dialect::default());
        assert_eq!(regex.find(text.as_bytes()), place, "{expression}");
    }
}

#[test]
fn groups_match_the_most_from_left_to_right() {
    let groups = |expression, dialect, text: &[u8]| compiled(expression, dialect).find_groups(text);
    let found = groups("x(y)?|(a)b*", FOLDED, b"ABB").expect("a match");
    assert_eq!(found, [Some(0..3), None, Some(0..1)]);
    assert_eq!(groups("\\(a\\)(", BASIC, b"xa("), Some(vec![Some(1..3), Some(1..2)]));
    assert_eq!(groups("\\(a\\)(", BASIC, b"a"), None);
    let found = groups("(a|ab)(c|bcd)(d*)", Dialect::default(), b"abcd").expect("a match");
    assert_eq!(found, [Some(0..4), Some(0..2), Some(2..3), Some(3..4)]);
    let found = groups("((a|b)x*)*", Dialect::default(), b"axxbx").expect("a match");
    assert_eq!(found, [Some(0..5), Some(3..5), Some(3..4)]);
    let found = groups("(a*)*", Dialect::default(), b"").expect("a match");
    assert_eq!(found, [Some(0..0), Some(0..0)]);
    let found = groups("((.|ab))+", Dialect::default(), b"dab").expect("a match");
    assert_eq!(found, [Some(0..3), Some(1..3), Some(1..3)]);
    let found = groups("((a)*){1,3}", Dialect::default(), b"aa").expect("a match");
    assert_eq!(found, [Some(0..2), Some(0..2), Some(1..2)]);
    let found = groups("(a){2,3}(a*)", Dialect::default(), b"aaaa").expect("a match");
    assert_eq!(found, [Some(0..4), Some(2..3), Some(3..4)]);
}

#[test]
fn mistakes_have_a_place_and_a_reason() {
    for (expression, at, why) in [
        ("ab(c", 2, "this parenthesis is never closed"),
        ("a[^]b", 1, "this bracket is never closed"),
        ("a|*", 2, "there is nothing here that could be repeated"),
        ("^*", 1, "there is nothing here that could be repeated"),
        ("a\\", 1, "nothing follows the backslash"),
        ("(a)\\1", 3, "references to what a group has matched are not supported"),
        ("a{x}", 1, "an interval is {3}, {3,}, {,5} or {3,5}"),
        ("a{3,2}", 1, "an interval's second number is not less than its first"),
        ("a{32768}", 1, "an interval's numbers are at most 32767"),
        ("[b-a]", 1, "this range ends before it begins"),
        ("[a-[:digit:]]", 1, "a class is no end of a range"),
        ("[[:letter:]]", 1, "no class of characters has this name"),
        ("[[.ab.]]", 1, "here each character collates alone"),
        ("[ab-c-d]", 5, "a hyphen for itself is the first or the last in a bracket"),
        ("(a{9999}){9999}", 0, "the expression is too large: its intervals repeat too much"),
    ] {
        let mistake = Regex::new(expression.as_bytes()).expect_err("a mistake");
        assert_eq!(mistake, Mistake { at, why }, "{expression}");
    }
    let deep = "(".repeat(1000);
    let mistake = Regex::new(deep.as_bytes()).expect_err("too deep");
    assert_eq!(mistake.to_string(), "character 201: too many parentheses inside each other");
    assert!(Regex::new(&b"a".repeat(39_000)).is_ok());
    let starred = [&b"a"[..], &b"*+?".repeat(10_000)].concat();
    assert!(Regex::new(&starred).expect("one repetition").is_match(b""));
    let basic = Regex::in_dialect(b"a\\)", BASIC).expect_err("never opened");
    assert_eq!(basic.to_string(), "character 2: this parenthesis was never opened");
}

/// Those that make others try everything, or fill memory.
#[test]
fn hostile_expressions_take_their_time_and_no_more() {
    let text = b"a".repeat(1000);
    for expression in
        ["(a*)*b", "(a|a)*b", "(a?){200}a{200}b", "(.*)(.*)(.*)(.*)(.*)x", "(a|b|ab)*c"]
    {
        assert!(!matches(expression, &text), "{expression}");
    }
    // Each byte makes another set of states: the table is given up.
    let expression = "(a|b)*a(a|b){200}c";
    let text: Vec<u8> =
        (0..2000_u32).map(|n| if n * n / 7 % 3 == 0 { b'a' } else { b'b' }).collect();
    let mut matcher = Matcher::new(expression.as_bytes(), Dialect::default()).expect("fine");
    for _ in 0..3 {
        assert!(!matcher.matches(&text));
    }
    let end = [&text[..], b"c"].concat();
    assert_eq!(matcher.matches(&end), compiled(expression, Dialect::default()).is_match(&end));
}
