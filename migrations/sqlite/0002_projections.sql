-- The tables that people look into. Both are folded from the events and can be thrown away and rebuilt.

-- The conversations that are open at this moment.
CREATE TABLE conversation_states (
    user_id           INTEGER NOT NULL,
    chat_id           INTEGER NOT NULL,
    conversation_type TEXT    NOT NULL,
    current_step      TEXT    NOT NULL,
    state_data        TEXT    NOT NULL,
    started_at        TEXT    NOT NULL,
    updated_at        TEXT    NOT NULL,
    expires_at        TEXT    NOT NULL,
    PRIMARY KEY (user_id, chat_id, conversation_type)
) STRICT, WITHOUT ROWID;

-- The machines people have registered.
CREATE TABLE user_machines (
    machine_id    TEXT    NOT NULL PRIMARY KEY,
    user_id       INTEGER NOT NULL,
    nickname      TEXT    NOT NULL,
    manufacturer  TEXT,
    model_number  TEXT,
    serial_number TEXT,
    location      TEXT,
    notes         TEXT,
    photo_file_id TEXT,
    ocr_data      TEXT,
    created_at    TEXT    NOT NULL,
    updated_at    TEXT    NOT NULL,
    UNIQUE (user_id, nickname)
) STRICT;
