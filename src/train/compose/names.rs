//! Names of people and places for composed texts.

use crate::random::SplitMix64;

/// First names of many languages, and handles.
const NAMES: [&str; 124] = [
    "Adaeze",
    "Agnieszka",
    "Ahmed",
    "Aiko",
    "Alejandra",
    "Alice",
    "Amina",
    "Anders",
    "Andrea",
    "Anjali",
    "Aoife",
    "Arjun",
    "Astrid",
    "Ben",
    "Bogdan",
    "Brenda",
    "Carlos",
    "Chidi",
    "Chloe",
    "Connor",
    "Dan",
    "Daniela",
    "Deepak",
    "Dmitri",
    "Dorothy",
    "Eleni",
    "Emeka",
    "Emma",
    "Esther",
    "Farid",
    "Fatima",
    "Femi",
    "Finn",
    "Freya",
    "Gabriel",
    "George",
    "Giulia",
    "Grace",
    "Hannah",
    "Haruto",
    "Hassan",
    "Helen",
    "Ines",
    "Ingrid",
    "Isaac",
    "Ivan",
    "Jack",
    "Jamal",
    "Jane",
    "Javier",
    "Jens",
    "Joao",
    "Jun",
    "Karen",
    "Kofi",
    "Kwame",
    "Lars",
    "Laura",
    "Leila",
    "Li Wei",
    "Linh",
    "Lucas",
    "Luigi",
    "Maria",
    "Marek",
    "Martin",
    "Mei",
    "Mehmet",
    "Mohammed",
    "Nadia",
    "Naomi",
    "Nguyen",
    "Nikolai",
    "Noor",
    "Olga",
    "Oluwaseun",
    "Omar",
    "Pablo",
    "Pavel",
    "Peter",
    "Priya",
    "Rachel",
    "Rafael",
    "Ravi",
    "Rob",
    "Rosa",
    "Ruth",
    "Sanjay",
    "Sara",
    "Sofia",
    "Stefan",
    "Svetlana",
    "Tariq",
    "Thabo",
    "Thomas",
    "Tomasz",
    "Valentina",
    "Wanjiku",
    "Yasmin",
    "Yuki",
    "Yusuf",
    "Zanele",
    "ben_k",
    "codemonkey42",
    "dr_j",
    "gardengal",
    "grumpyoldman",
    "j.alvarez",
    "kat1987",
    "lurker_no_more",
    "M. Okafor",
    "mr_pickles",
    "nightowl",
    "oldtimer",
    "pete73",
    "quietriver",
    "redfox_9",
    "sven-k",
    "T. Nakamura",
    "tea_and_toast",
    "the_real_sam",
    "user8812",
    "wanderer",
    "xena99",
];

const TOWNS: [&str; 24] = [
    "Leeds", "Lagos", "Cork", "Porto", "Pune", "Nairobi", "Tucson", "Perth", "Gdansk", "Bergen", "Izmir", "Osaka",
    "Quebec", "Accra", "Bristol", "Duluth", "Hanoi", "Lyon", "Malmo", "Mendoza", "Oaxaca", "Penang", "Salem",
    "Utrecht",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn one_of(list: &[&'static str], random: &mut SplitMix64) -> &'static str {
    list[random.below(list.len())]
}

/// A name of a person, or a handle.
pub(super) fn name(random: &mut SplitMix64) -> &'static str {
    one_of(&NAMES, random)
}

pub(super) fn town(random: &mut SplitMix64) -> &'static str {
    one_of(&TOWNS, random)
}

/// A date or a time, as pages write it in front of a comment.
pub(super) fn date(random: &mut SplitMix64) -> String {
    let (day, month, year) = (1 + random.below(28), one_of(&MONTHS, random), 2004 + random.below(22));
    match random.below(4) {
        0 => format!("{month} {day}, {year}"),
        1 => format!("{day} {month} {year}"),
        2 => format!("{year}-{:02}-{day:02}", 1 + random.below(12)),
        _ => format!(
            "{month} {day}, {year} at {}:{:02} {}",
            1 + random.below(12),
            random.below(60),
            ["am", "pm"][random.below(2)]
        ),
    }
}

/// How long ago something was said.
pub(super) fn ago(random: &mut SplitMix64) -> String {
    let unit = one_of(&["minutes", "hours", "days", "weeks", "months", "years"], random);
    format!("{} {unit} ago", 2 + random.below(10))
}
