-- What a server would do by itself at some moment, and shall not do in the middle of a race.
VACUUM (ANALYZE);
CHECKPOINT;
