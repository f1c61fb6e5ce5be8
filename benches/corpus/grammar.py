"""Sentences for corpora of any size: templates and words written for this project, no text of others.

`pool(seed, size)` gives paragraphs, each on one line, of the five kinds that copydesk tells apart. A name in braces stands for
a word of that list; `{number}`, `{money}` and `{share}` are drawn anew each time. People, firms and addresses do not exist.
"""

import random
import re

WORDS = {
    "first": """Ada Alastair Amina Beatrix Bertil Callum Cecily Dafydd Delphine Edmund Efua Elspeth Fergus Florian Gwen Hamid Harriet
        Ines Ivor Jolanta Kezia Lachlan Leonie Magnus Marguerite Nadia Niall Odette Oskar Petra Quentin Ravi Rosalind Seamus Sunniva
        Tamsin Theo Ursula Viktor Winifred Yusuf Zoë""",
    "last": """Abernathy Ashdown Birchall Bramwell Carrow Cotterill Danvers Dunmore Ellery Farthing Fennimore Gadsby Glaister Hallam
        Hathersage Iremonger Jessop Kettering Langstaff Loxley Marchbank Mossop Nethercott Oakshott Pemberley Penhallow Quarrington
        Rainsford Ruddock Saltmarsh Skelton Tarbuck Thistlewood Underhay Vickerstaff Wadsley Whitlock Wolstenholme Yarwood Zielke""",
    "town": """Aldermoor Ashby-under-Wold Barrowmere Brackenford Calderhythe Cleeveport Dunsholt Eastmarsh Elmstead Fallowbridge
        Garsdon Grimsholm Harrowgate-on-Sea Hexley Ilmerton Kingswater Lambsford Larkhaven Marlowick Millbeck Netherby Norholm Oakhythe
        Oldcastle Pendrick Porthallow Quarndale Ravensworth Ridingham Saltholme Sandwell-Bay Stonebeck Tarnforth Thornaby-le-Fen
        Upwick Vellingham Wexcombe Whitmere Wychford Yarrowby""",
    "firm": """Arkwright & Daughters, Bellweather Foods, Blue Lantern, Calder Valley Rail, Castlegate Homes, Crowhurst Energy, Dunmore Steel,
        Fairholt Insurance, Fenland Growers, Greenacre Dairies, Halcyon Ferries, Hexley Water, Ironbridge Tools, Juniper Health,
        Kestrel Air, Larkhaven Press, Marsh & Sons, Meridian Freight, Northmoor Gas, Oakshott Timber, Orchard Bank, Pennywell Stores,
        Quayside Brewing, Redwing Motors, Saltmarsh Solar, Silverthread Textiles, Tarn Media, Thornfield Trust, Vale Logistics,
        Westering Software""",
    "body": """county council, district court, fire service, harbour authority, health board, highways agency, housing association,
        labour union, local hospital, ministry of transport, national park, parish council, planning committee, police force,
        port authority, regional assembly, river trust, school board, statistics office, tenants' group, university, water regulator,
        wildlife trust, works council""",
    "thing": """airport link, allotment, bakery, bicycle scheme, boatyard, bridge, budget, bus station, bypass, canal path, car park,
        cattle market, cinema, clinic, coal depot, community garden, concert hall, day nursery, ferry terminal, flood wall, football
        ground, fruit market, gas works, grain silo, heat network, high school, hydrogen plant, incinerator, indoor pool, job centre,
        leisure centre, library, lighthouse, lorry park, maternity ward, mill, museum, night bus, observatory, orchard, parking charge,
        pharmacy, pier, playground, post office, power station, quarry, railway depot, recycling centre, reservoir, sea wall, sewage
        works, shopping arcade, skate park, solar farm, sorting office, sports hall, stadium, steelworks, theatre, town hall, tram line,
        tunnel, viaduct, walk-in centre, water tower, wind farm, youth club""",
    "deed": """approved, blocked, cancelled, closed, completed, delayed, demolished, extended, financed, handed over, inspected, insured,
        leased, moved, opened, postponed, privatised, put up for sale, rebuilt, reopened, repaired, replaced, sold, surveyed, suspended""",
    "good": """admirable, brave, careful, charming, clever, decent, delightful, fair, generous, honest, long overdue, lovely, modest,
        patient, refreshing, sensible, splendid, thoughtful, useful, wise, wonderful""",
    "bad": """absurd, arrogant, clumsy, costly, cowardly, cynical, dishonest, dreary, foolish, grotesque, half-baked, insulting, lazy,
        miserable, muddled, outrageous, petty, pointless, reckless, ridiculous, shabby, short-sighted, tiresome, ugly, useless""",
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "month": "January February March April May June July August September October November December",
    "trade": """architect, baker, beekeeper, bus driver, butcher, carpenter, chemist, coroner, economist, electrician, engineer, farmer,
        ferryman, fishmonger, geologist, glazier, headteacher, historian, joiner, judge, librarian, midwife, miller, nurse, optician,
        paramedic, plumber, potter, ranger, roofer, shepherd, solicitor, surveyor, tailor, teacher, undertaker, vet, weaver, welder""",
    "crop": "apples, barley, beet, carrots, cheese, cider, cod, herring, honey, hops, lamb, leeks, milk, oats, pears, plums, potatoes, rye, wheat, wool",
    "weather": "drizzle, fog, frost, hail, heavy rain, low cloud, sleet, snow, storms, strong winds, thunder, warm sunshine",
    "when": """after a week of talks, at the weekend, before dawn, by the end of the month, during the night, early next year, in the
        autumn, in the spring, last month, late in the evening, next summer, on {day}, on {day} morning, shortly after noon, this
        week, two years ago, within a fortnight, yesterday""",
    "reason": """a burst pipe, a dispute over pay, a fault in the signalling, a fire in the basement, a lack of staff, a landslip, a legal
        challenge, a shortage of parts, a sudden fall in orders, asbestos in the roof, bats in the attic, cracks in the concrete,
        rising interest rates, subsidence, the cost of steel, the high price of fuel, unpaid bills, woodworm""",
    "site": """luckyharbour cheapwatchdepot fastcreditnow slimteaclub crownbets royalspinhall essaysforyou bulkfollowers coinmoonfund
        greatpillstore dreamlovedates seo-lift replicaroom mystic-healer""",
    "prize": """a luxury cruise, a new phone, a gift card, a free trial, a smart watch, 200 free spins, a welcome bonus, a secret e-book,
        a free consultation, a lifetime membership""",
    "goods": """designer handbags, diet pills, essay writing, followers and likes, forex signals, herbal cures, instant loans, online
        casino games, penny shares, replica watches, streaming accounts, torrent links, web traffic, wrinkle cream""",
}

KINDS = {
    "reporting": """
The {thing} in {town} will be {deed} {when}, the {body} said.
Work on the {thing} began {when} and is expected to cost {money}.
{firm} has {deed} its {thing} in {town} because of {reason}.
{first} {last}, a {trade} from {town}, was named head of the {body} on {day}.
Police were called to the {thing} at {number} minutes past {hour} after reports of {reason}.
Figures from the {body} show that {share} of households in {town} are affected.
Nobody was hurt, and the road past the {thing} was open again {when}.
The {body} voted by {number} to {number} to keep the {thing} open.
{firm} reported a profit of {money} for the quarter, up {share} from a year earlier.
Prices of {crop} rose by {share} in {month}, the fastest pace for {number} years.
A spokeswoman for {firm} confirmed that {number} jobs would go at the {thing}.
The {trade}, {number}, appeared before the {body} in {town} on {day} and denied all charges.
{weather_cap} is forecast for {town} and the coast, with up to {number} millimetres of rain by {day}.
The {thing} was built in {year} and has been {deed} twice since.
Growers near {town} brought in {number},{three} tonnes of {crop} this year, the {body} reported.
Trains between {town} and {town} were {deed} for {number} hours because of {reason}.
Some {number},{three} people signed a petition against the plan for the {thing}.
The contract, worth {money}, went to {firm}, which has its head office in {town}.
According to the {body}, the {thing} was {deed} {when}.
{first} {last} joined {firm} as a {trade} in {year} and retired {when}.
The match between {town} and {town} ended {digit}-{digit} in front of {number},{three} spectators.
{last} scored in the {number}th minute after a long ball from {last}.
Two lifeboats from {town} searched the bay for {number} hours until the crew was found.
The inquiry heard that {reason} had been reported to {firm} in {month} {year}.
Members of the {body} will meet in {town} on {day} to discuss the {thing}.
Rents in {town} have gone up by {share} since {year}.
The hearing continues on {day}.
Visitors to the {thing} numbered {number},{three} last year, against {number},{three} in {year}.
A new timetable for the {thing} takes effect on {number} {month}.
Engineers found {reason} during an inspection of the {thing} {when}.
{firm} said it would appeal against the decision of the {body}.
The river at {town} rose by {digit} metres overnight and flooded the {thing}.
An archaeologist digging beside the {thing} found {number} coins from the reign of a forgotten king.
The {body} has set aside {money} for repairs to the {thing} in {town}.
Voting in {town} opens at seven on {day} and closes at ten at night.
The election in {town} was won by {first} {last} with {share} of the votes.
The oldest part of the {thing} dates from {year}; the east wing was added by a {trade} named {last}.
Ships bound for {town} were diverted {when} because of {weather}.
The species was last seen near {town} in {year}, according to the {body}.
Of the {number} pupils examined, {share} had fewer than two lessons in science a week.
The firm employs {number} people in {town} and sells {crop} to {number} countries.
A {trade} who fell from the roof of the {thing} is in a stable condition.
Dr {last} measured the water at {number} places and found lead in {share} of the samples.
The road was closed for {number} hours while a crane removed the lorry.
The bank left its base rate at {digit}.{digit} per cent {when}.
Nearly {share} of the budget goes on the {thing}, the accounts show.
{firm} will move its {thing} from {town} to {town} {when}.
In {month} the {body} received {number} complaints about the {thing}.
""",
    "opinion": """
I have never seen such a {bad} plan for a {thing} in all my life.
Frankly, the {body} should be ashamed of itself.
It is a {good} idea, and it is high time that somebody said so.
We deserve better than this {bad} talk about the {thing}.
What a {good} piece, thank you for writing it.
The {thing} matters more to {town} than any {bad} slogan.
I would rather pay twice the fare than see the {thing} {deed}.
Why does nobody at the {body} ever ask the people who use the {thing}?
To my mind {firm} has behaved in a {bad} way from beginning to end.
This is not prudence; it is {bad} bookkeeping dressed up as courage.
The minister's answer was {bad}, and everybody in the room knew it.
If the {body} had any sense, the {thing} would have been {deed} years ago.
You are missing the point: a {thing} without staff is {bad}.
There is something {good} about a town that keeps its {thing}.
The second act drags, but the {trade} is {good} and the songs are better.
I disagree with almost every word of this article.
Surely we can find {money} for a {thing} if we can find it for consultants.
The real scandal is that {firm} was paid at all.
Nobody needs another {thing}, least of all in {town}.
I find the new building {bad}, though the garden is {good}.
It would be {bad} to blame the {trade} for what {reason} has done.
My grandmother worked as a {trade} in {town} and she would have laughed at this.
Let us be honest about the {thing}: it was never going to be {good}.
The {body} must act now, and it must act in the open.
For once a politician has said something {good}, and half the press calls it {bad}.
I bought {crop} there last week and they were {bad}, so never again.
Anyone who thinks the {thing} pays for itself believes in fairies.
A {good} book, though I wish that the author trusted the reader more.
Perhaps I am old-fashioned, but a {trade} ought to be paid like a {trade}.
No amount of paint will make the {thing} less {bad}.
Good for {first} {last}! More of this, please.
It seems to me that {town} has been treated like a poor relation.
lol, as if {firm} ever cared about {town}
The case for the {thing} is strong, the case against it is mostly noise.
We should remember that every {thing} was once called {bad} by somebody.
How {bad} do things have to get before the {body} listens?
The tax on {crop} is {bad} economics and worse politics.
I loved the {trade}, hated the ending, and would see it again tomorrow.
The best argument for the {thing} is a walk through {town} in {month}.
That the {body} calls this progress tells you all that you need to know.
Sorry, but your figures on {crop} are plain wrong.
Is it really too much to ask that the {thing} opens on time?
""",
    "quotation": """
“The {thing} has been {deed} for good reasons,” said {first} {last}.
"We were told about {reason} only {when}," said {last}, a {trade} from {town}.
“I have lived beside the {thing} for {number} years and I have never seen {weather} like it.”
"It is a {bad} decision," {first} {last} told reporters, "and {town} will pay for it."
“My client denies everything,” the lawyer said.
“There was {reason}, there was smoke, and then somebody shouted that we should run,” {first} {last} recalled.
"Nobody asked us," said the {trade}.
“We are {good} people and we want a {good} answer,” {last} told the {body}.
“If {firm} leaves {town}, my children will leave as well,” said {first} {last}, {number}.
"The figures for {crop} speak for themselves," a spokesman for {firm} said in a statement.
“Every {trade} in {town} knows what {reason} means.”
"We shall open the {thing} {when}, whatever the {weather}," the chairman promised.
“It was {good} of the {body} to come, but it was {number} years too late.”
"I saw the {thing} go up and I saw it come down," {last} remembered.
“The safety of passengers comes first,” {firm} wrote.
"You do not get {crop} like that any more," said {first} {last}, laughing.
“Let the record show that I voted against the {thing},” said Councillor {last}.
"{first} was the most {good} {trade} I ever met," her colleague said.
“We have spent {money} on the {thing} and there is nothing to see,” {last} complained.
"Come back when you have read the report," the judge told the {trade}.
“In {year} there were {number} of us, now there are {digit}.”
"I am sorry for what happened in {town}," the director said.
""",
    "comment_spam": """
WIN {prize} TODAY!!! Click www.{site}.example/{number} and claim before midnight
I earned {money} last week working from home, see how at {site}.example
Best {goods} at low prices, fast delivery worldwide, visit {site}.example
Great post! I also wrote about {goods} on my page, please check http://{site}.example/blog
Hello dear, I was broke until Dr {last} helped me with his spell, contact him on WhatsApp +00 {number} {three} {three}
Cheap {goods} cheap {goods} buy {goods} online no prescription {site}.example
Subscribe to my channel and I will subscribe to yours, {number} percent honest
Only {number} places left: {prize} for every new member, sign up at {site}.example
Need {goods}? Our experts at {site}.example answer within {number} minutes!!!
My cousin bought a car at {number} with what she makes on {site}.example, just copy and paste
FREE {goods} >> {site}.example << no card needed
Thank you for sharing this informative article. If you want {goods} in {town}, call us today at {site}.example.
Invest {money} and receive double {when}, guaranteed by Mr {first} {last}, message him on Telegram
Hot singles in {town} want to meet you tonight at {site}.example
Get {prize} when you order {goods} with code SAVE{number} at {site}.example
Your site could rank first, we sell {number} backlinks for {money}, mail us at sales@{site}.example
I recovered my lost coins with the help of {first} {last}, a genuine hacker, write to help@{site}.example
""",
    "other": """
Share this article
Read more: {firm} and the {thing}
Photograph: {first} {last}
Subscribe to our newsletter
{number} comments
Published on {number} {month} {year}
We use cookies to improve this site. Accept all or choose your settings.
Home News Sport Weather Business Culture Travel
Advertisement
Sign in to leave a comment
Follow us for more news from {town}
Most read this week
{town}: {thing} to be {deed}
The {thing} in {town}, seen from the east. Picture: {first} {last}
Related: Why {firm} left {town}
Copyright {year} {firm}. All rights reserved.
Terms of use Privacy Contact us
Tags: {town}, {thing}, {crop}, {firm}
Next page
By {first} {last} in {town}
Opening hours: {day} to {day}, nine to five; closed in {month}
This story was updated on {day} to correct the name of the {trade}.
Results: {town} {digit}, {town} {digit}; {town} {digit}, {town} {digit}
Sponsored by {firm}
Back to top
Chapter {number}
Notes and sources
""",
}

# Shares as on news sites with comments, and how many sentences a paragraph has.
SHARES = {"reporting": 0.40, "opinion": 0.26, "quotation": 0.12, "comment_spam": 0.07, "other": 0.15}
SENTENCES = {"reporting": (2, 5), "opinion": (1, 5), "quotation": (1, 2), "comment_spam": (1, 2), "other": (1, 1)}

SLOT = re.compile(r"\{(\w+)\}")
ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO]|u(?!se|ni))")
HOURS = "one two three four five six seven eight nine ten eleven noon midnight".split()


def _list(words: str) -> list[str]:
    return [word.strip() for word in " ".join(words.split()).split("," if "," in words else " ")]


LISTS = {name: _list(words) for name, words in WORDS.items()}
TEMPLATES = {kind: text.strip().split("\n") for kind, text in KINDS.items()}


def _slot(name: str, draw: random.Random) -> str:
    if name == "number":
        return str(draw.randint(2, 99))
    if name == "digit":
        return str(draw.randint(0, 9))
    if name == "three":
        return str(draw.randint(100, 999))
    if name == "year":
        return str(draw.randint(1871, 2026))
    if name == "money":
        return f"{draw.choice('£$€')}{draw.randint(2, 990)}{draw.choice([',000', ' million', ' billion', ''])}"
    if name == "share":
        return f"{draw.randint(1, 97)}{draw.choice(['%', ' per cent', '.5%'])}"
    if name == "hour":
        return draw.choice(HOURS)
    if name == "weather_cap":
        return draw.choice(LISTS["weather"]).capitalize()
    return SLOT.sub(lambda slot: _slot(slot[1], draw), draw.choice(LISTS[name]))


def sentence(kind: str, draw: random.Random) -> str:
    return ARTICLE.sub(r"\1n ", SLOT.sub(lambda slot: _slot(slot[1], draw), draw.choice(TEMPLATES[kind])))


def paragraph(kind: str, draw: random.Random) -> str:
    return " ".join(sentence(kind, draw) for _ in range(draw.randint(*SENTENCES[kind])))


def pool(seed: int, size: int) -> list[str]:
    """`size` paragraphs, the same ones for the same seed."""
    draw = random.Random(seed)
    kinds = draw.choices(list(SHARES), weights=SHARES.values(), k=size)
    return [paragraph(kind, draw) for kind in kinds]


def names(seed: int, size: int) -> list[str]:
    """Names of people who do not exist."""
    draw = random.Random(seed)
    return [f"{draw.choice(LISTS['first'])} {draw.choice(LISTS['last'])}" for _ in range(size)]
