create table users (
  user_id text primary key,
  display_name text not null
);

create table global_settings (
  key text primary key,
  value jsonb not null,
  origin text not null,
  clock bigint not null
);

create table setting_changes (
  id bigserial primary key,
  key text not null,
  value jsonb not null,
  origin text not null
);

-- What is still to be sent; a row is deleted when the peer has confirmed it.
create table outbox (
  id bigserial primary key,
  message jsonb not null
);

-- Ids of the peer's changes that are recorded here.
create table applied_changes (
  id uuid primary key
);

create table lamport (
  only_row boolean primary key default true check (only_row),
  clock bigint not null default 0
);

insert into lamport default values;
