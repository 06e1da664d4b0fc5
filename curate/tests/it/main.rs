//! Whole-program tests of `curate`: what its promises say, seen from outside.

mod answers;
mod archives;
mod bad_input;
mod benchmarks;
mod classifiers;
mod cleaning;
mod duplicates;
mod examples;
mod help;
mod links;
mod lost;
mod mixtures;
mod pipes;
mod promises;
mod reading;
mod real;
mod reference;
mod report;
mod sampling;
mod scripts;
mod substrings;
mod support;
mod truth;
mod versions;
mod wire;
