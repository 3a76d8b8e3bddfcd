//! The verifier from outside, as the listeners and the edge worker use it.

#[cfg(test)]
mod client_jws;
#[cfg(test)]
mod common;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod reasons;
#[cfg(test)]
mod refused_claims;
#[cfg(test)]
mod refused_tokens;
#[cfg(test)]
mod robustness;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod vectors;
