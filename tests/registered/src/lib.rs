//! `#[test]` for a suite with its own harness: registers the function instead of passing it to rustc's harness.
//!
//! A suite imports it with `#[macro_use(test)] extern crate registered_test;`. Its tests look like any other.

use proc_macro::{TokenStream, TokenTree};

/// Registers a function without arguments as a test, at `crate::harness::Test`.
#[proc_macro_attribute]
pub fn test(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut tokens = item.clone().into_iter();
    let mut name = None;
    while let Some(token) = tokens.next() {
        if let TokenTree::Ident(word) = &token
            && word.to_string() == "fn"
        {
            name = tokens.next();
            break;
        }
    }
    let Some(name) = name else {
        return "compile_error!(\"#[test] stands before a function\");".parse().unwrap_or_default();
    };
    let registered = format!(
        "::inventory::submit! {{ crate::harness::Test {{ name: concat!(module_path!(), \"::{name}\"), run: {name} }} }}"
    );
    item.into_iter().chain(registered.parse::<TokenStream>().unwrap_or_default()).collect()
}
