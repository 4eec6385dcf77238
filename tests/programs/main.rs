//! Programs run as their users run them, with scripted models and retrievers and a clock that the test owns.

mod agents;
mod assistant;
mod cache;
mod composite;
mod documents;
mod events;
mod judges;
mod parallel;
mod pipeline;
mod predict;
mod program_of_thought;
mod state;
mod support;
mod tries;
