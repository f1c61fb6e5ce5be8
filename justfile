# Short names for the common tasks; `just` lists them. See CONTRIBUTING.md.

default:
    @just --list

# The README's test command
test:
    cargo test --all-features

# One module's tests, such as `just unit text::`
unit FILTER:
    cargo test --lib {{FILTER}}

# Format, lints and documentation
lint:
    cargo fmt --check
    cargo clippy --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features

# Licences, sources and advisories of the dependencies
deny:
    cargo deny check

# Speed of the built-in models on this machine
bench:
    cargo run --release -- bench --model fast
    cargo run --release -- bench --model base

# Kernels, encoder, tokenizer and process, with criterion and clocks
benches:
    cargo bench

# The README's figures on texts of this repository
figures:
    cargo run --release -- eval --data data/labels.jsonl --page-field doc
    cargo run --release -- models

# The Python package, and its tests
python:
    pip install ./python --requirement python/requirements-test.txt
    pytest python/tests --ignore python/tests/engines

# The README's picture
picture:
    cargo build --release
    target/release/copydesk label --quiet --output-format pretty --color always data/pages/tariff-comment-thread.txt \
        | docs/images/terminal.py --keep 0,1,3,7,8,14,26 > docs/images/labelled-page.svg

# Everything that a commit must pass
ci:
    .ci/run

# The engine's tests on aarch64 under emulation (Debian 12, root)
aarch64:
    .ci/aarch64
