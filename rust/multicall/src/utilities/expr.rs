//! s6-expr: calculates.

use crate::invocation::quoted;
use crate::{Applet, Exit, Failure, Invocation, Section, Syntax};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// s6-expr.
pub static APPLET: Applet = Applet {
    name: "s6-expr",
    section: Section::Utilities,
    about: "Calculate with whole numbers: | & = != < <= > >= + - * / % ( ), each an argument",
    options: &[],
    arguments: "expression...",
    syntax: Syntax::Raw,
    exit_codes: &[
        ("0", "the result is not zero"),
        ("1", "the result is zero"),
        ("2", "the expression is wrong, or has no result"),
    ],
    run,
};

/// What stands between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divided,
    Modulo,
}

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Number(i64),
    Operator(Operator),
    Open,
    Close,
}

/// A number, or why there is none: known only when it is asked for, as `1 | 1 / 0` does not.
type Value = Result<i64, &'static str>;

fn run(call: &Invocation) -> Result<Exit, Failure> {
    let wrong = |what: String| Failure::new(2, format!("invalid expression: {what}"));
    let tokens: Result<Vec<Token>, String> = call.rest.iter().map(token).collect();
    let value = evaluated(&tokens.map_err(wrong)?).map_err(|what| wrong(what.to_owned()))?;
    call.print(format!("{value}\n"))?;
    Ok(Exit::Code(u8::from(value == 0)))
}

fn token(word: &OsString) -> Result<Token, String> {
    Ok(Token::Operator(match word.as_bytes() {
        b"(" => return Ok(Token::Open),
        b")" => return Ok(Token::Close),
        b"|" => Operator::Or,
        b"&" => Operator::And,
        b"=" => Operator::Equal,
        b"!=" => Operator::NotEqual,
        b"<" => Operator::Less,
        b"<=" => Operator::LessOrEqual,
        b">" => Operator::Greater,
        b">=" => Operator::GreaterOrEqual,
        b"+" => Operator::Plus,
        b"-" => Operator::Minus,
        b"*" => Operator::Times,
        b"/" => Operator::Divided,
        b"%" => Operator::Modulo,
        _ => return number(word).map(Token::Number),
    }))
}

/// A sign and digits; what follows them is passed over, as the original does.
fn number(word: &OsStr) -> Result<i64, String> {
    let text = word.as_bytes();
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let digits = text.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.get(..sign + digits).and_then(|text| std::str::from_utf8(text).ok());
    match text {
        Some(text) if digits != 0 => {
            text.parse().map_err(|_| format!("{} is too large", quoted(word)))
        }
        Some(_) | None => Err(format!("{} is neither a number nor an operator", quoted(word))),
    }
}

/// The value of an expression. Operators of the same rank go from left to right. Not recursive:
/// there may be as many parentheses as fit into a command line.
fn evaluated(tokens: &[Token]) -> Value {
    let mut values: Vec<Value> = Vec::new();
    let mut waiting: Vec<Option<Operator>> = Vec::new(); // `None`: an open parenthesis
    let mut after_value = false;
    for token in tokens {
        match (*token, after_value) {
            (Token::Number(number), false) => {
                values.push(Ok(number));
                after_value = true;
            }
            (Token::Open, false) => waiting.push(None),
            (Token::Operator(operator), true) => {
                reduce(&mut values, &mut waiting, operator.rank());
                waiting.push(Some(operator));
                after_value = false;
            }
            (Token::Close, true) => {
                reduce(&mut values, &mut waiting, 0);
                if waiting.pop() != Some(None) {
                    return Err("a parenthesis is closed that was not opened");
                }
            }
            (Token::Number(_) | Token::Open, true) => return Err("an operator is missing"),
            (Token::Operator(_) | Token::Close, false) => return Err("a number is missing"),
        }
    }
    reduce(&mut values, &mut waiting, 0);
    match (waiting.as_slice(), values.as_slice()) {
        ([], [value]) if after_value => *value,
        ([.., None], _) if after_value => Err("a parenthesis is not closed"),
        _ => Err("a number is missing"),
    }
}

/// Applies the operators, up to the last open parenthesis, that bind at least as much as this rank.
fn reduce(values: &mut Vec<Value>, waiting: &mut Vec<Option<Operator>>, rank: u8) {
    while let Some(operator) = waiting.last().copied().flatten().filter(|o| o.rank() >= rank) {
        let (Some(right), Some(left)) = (values.pop(), values.pop()) else { return };
        waiting.pop();
        values.push(operator.apply(left, right));
    }
}

impl Operator {
    /// How much it binds.
    fn rank(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::And => 2,
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => 3,
            Operator::Plus | Operator::Minus => 4,
            Operator::Times | Operator::Divided | Operator::Modulo => 5,
        }
    }

    fn apply(self, left: Value, right: Value) -> Value {
        let left = left?;
        let result = match self {
            Operator::Or if left != 0 => Some(left),
            Operator::Or => Some(right?),
            Operator::And if left == 0 => Some(0),
            Operator::And => Some(if right? == 0 { 0 } else { left }),
            Operator::Equal => Some((left == right?).into()),
            Operator::NotEqual => Some((left != right?).into()),
            Operator::Less => Some((left < right?).into()),
            Operator::LessOrEqual => Some((left <= right?).into()),
            Operator::Greater => Some((left > right?).into()),
            Operator::GreaterOrEqual => Some((left >= right?).into()),
            Operator::Plus => left.checked_add(right?),
            Operator::Minus => left.checked_sub(right?),
            Operator::Times => left.checked_mul(right?),
            Operator::Divided | Operator::Modulo if right == Ok(0) => {
                return Err("division by zero");
            }
            Operator::Divided => left.checked_div(right?),
            Operator::Modulo => left.checked_rem(right?),
        };
        result.ok_or("a result is too large")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(line: &str) -> Result<i64, String> {
        let tokens: Result<Vec<Token>, String> =
            line.split_whitespace().map(OsString::from).map(|word| token(&word)).collect();
        evaluated(&tokens?).map_err(str::to_owned)
    }

    #[test]
    fn ranks_and_parentheses() {
        for (line, expected) in [
            ("2 + 3 * 4", 14),
            ("( 2 + 3 ) * 4", 20),
            ("10 - 3 - 2", 5),
            ("-7 / 2", -3),
            ("-7 % 2", -1),
            ("1 < 2 = 1", 1),
            ("3 & 0 | 7 & 5", 7),
            ("0 | 0", 0),
            ("1 | 1 / 0", 1),
            ("0 & 1 / 0", 0),
            ("3abc + 1", 4),
            ("1 + 2 >= 3 & 4 != 5", 1),
        ] {
            assert_eq!(value(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn mistakes() {
        for line in [
            "",
            "1 2",
            "+",
            "1 +",
            "( 1",
            "1 )",
            "( )",
            "()",
            "1 + x",
            "1 / 0",
            "5 % 0",
            "9223372036854775807 + 1",
            "9223372036854775808",
            "-9223372036854775808 / -1",
            "( 1 + )",
        ] {
            assert!(value(line).is_err(), "{line}");
        }
    }

    #[test]
    fn parentheses_may_be_deep() {
        let deep = 100_000;
        let line = [vec!["("; deep], vec!["1"], vec![")"; deep]].concat().join(" ");
        assert_eq!(value(&line), Ok(1));
        assert!(value(&vec!["("; deep].join(" ")).is_err());
    }

    proptest! {
        #[test]
        fn sums_in_any_grouping(numbers in proptest::collection::vec(-999_i64..1000, 1..8)) {
            let sum: i64 = numbers.iter().sum();
            let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
            prop_assert_eq!(value(&words.join(" + ")), Ok(sum));
            let opened = "( ".repeat(words.len() - 1);
            let grouped = format!("{opened}{}", words.join(" ) + ")).replacen(" )", "", 1);
            let grouped = if words.len() > 1 { grouped + " )" } else { grouped };
            prop_assert_eq!(value(&grouped), Ok(sum));
        }

        #[test]
        fn anything_is_a_number_or_a_mistake(words in proptest::collection::vec("[-+*/%()|&<>=!0-9]{1,2}", 0..12)) {
            let _ = value(&words.join(" "));
        }
    }
}
