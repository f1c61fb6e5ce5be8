//! Parts of a file that are counted while they are read.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Most values in a normaliser, word splitter or post-processor: each takes several times its bytes.
const MAX_VALUES: usize = 10_000;

/// A pair of entries that become one: `["a", "b"]`, in older files `"a b"`.
pub struct Merge(pub String, pub String);

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Merge, D::Error> {
        struct Pair;

        impl<'de> Visitor<'de> for Pair {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a merge of two entries")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Merge, E> {
                let pair = text.split_once(' ').filter(|(_, second)| !second.contains(' '));
                let (first, second) = pair.ok_or_else(|| E::custom("a merge is not of two entries"))?;
                Ok(Merge(first.to_owned(), second.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Merge, A::Error> {
                match (pair.next_element()?, pair.next_element()?, pair.next_element::<String>()?) {
                    (Some(first), Some(second), None) => Ok(Merge(first, second)),
                    _ => Err(serde::de::Error::custom("a merge is not of two entries")),
                }
            }
        }

        deserializer.deserialize_any(Pair)
    }
}

/// A value that is read over; at most [`MAX_VALUES`] stand in it.
#[derive(Default)]
pub struct Values(usize);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Values, D::Error> {
        struct Counter;

        impl<'de> Visitor<'de> for Counter {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MAX_VALUES} values")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Values, E> {
                Ok(Values(1))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Values, E> {
                Ok(Values(1))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Values, E> {
                Ok(Values(1))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Values, E> {
                Ok(Values(1))
            }

            fn visit_str<E>(self, _: &str) -> Result<Values, E> {
                Ok(Values(1))
            }

            fn visit_unit<E>(self) -> Result<Values, E> {
                Ok(Values(1))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
                let mut count = 1;
                while let Some(Values(more)) = list.next_element()? {
                    count = add_up(count, more)?;
                }
                Ok(Values(count))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut count = 1;
                while let Some((IgnoredAny, Values(more))) = map.next_entry()? {
                    count = add_up(count, more)?;
                }
                Ok(Values(count))
            }
        }

        fn add_up<E: serde::de::Error>(count: usize, more: usize) -> Result<usize, E> {
            let sum = count + more;
            if sum > MAX_VALUES {
                Err(E::custom(format_args!("a part has more than {MAX_VALUES} values")))
            } else {
                Ok(sum)
            }
        }

        deserializer.deserialize_any(Counter)
    }
}

/// A list of at most `MOST`.
pub struct Bounded<T, const MOST: usize>(pub Vec<T>);

impl<T, const MOST: usize> Default for Bounded<T, MOST> {
    fn default() -> Self {
        Bounded(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T, const MOST: usize>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
            type Value = Bounded<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    if elements.len() == MOST {
                        return Err(serde::de::Error::custom(format_args!("a list is longer than {MOST}")));
                    }
                    elements.push(element);
                }
                Ok(Bounded(elements))
            }
        }

        deserializer.deserialize_seq(List(std::marker::PhantomData))
    }
}
