//! What every process needs: signals, supervised tasks, health listener.
