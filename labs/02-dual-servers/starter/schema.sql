create table users (
  user_id text primary key,
  display_name text not null
);

create table global_settings (
  key text primary key,
  value jsonb not null
);

-- One row per change, in the order in which this server recorded them.
create table setting_changes (
  id bigserial primary key,
  key text not null,
  value jsonb not null,
  origin text not null -- the server that the client changed it on
);

-- TODO(queue): remember what the peer has not confirmed. Add tables and columns as you need them.
-- TODO(once): number the changes of each server, remember the last one that was applied.
-- TODO(agree): keep with each value what decides whether another change wins over it.
