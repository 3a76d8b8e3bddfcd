mod delivery;
mod sink;
mod smtp;
