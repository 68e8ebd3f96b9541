-- The tables that people look into. Both are folded from the events and can be thrown away and rebuilt.

-- The conversations that are open at this moment.
CREATE TABLE conversation_states (
    user_id           bigint      NOT NULL,
    chat_id           bigint      NOT NULL,
    conversation_type text        NOT NULL,
    current_step      text        NOT NULL,
    state_data        text        NOT NULL,
    started_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    PRIMARY KEY (user_id, chat_id, conversation_type)
) WITH (fillfactor = 70);

-- The machines people have registered.
CREATE TABLE user_machines (
    machine_id    uuid        NOT NULL PRIMARY KEY,
    user_id       bigint      NOT NULL,
    nickname      text        NOT NULL,
    manufacturer  text,
    model_number  text,
    serial_number text,
    location      text,
    notes         text,
    photo_file_id text,
    ocr_data      text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    UNIQUE (user_id, nickname)
);
