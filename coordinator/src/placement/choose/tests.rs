mod laws;
mod reference;
mod sentences;
