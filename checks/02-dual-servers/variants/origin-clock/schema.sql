create table users (
  user_id text primary key,
  display_name text not null
);

-- The value that counts now, with the change that it came from.
create table global_settings (
  key text primary key,
  value jsonb not null,
  origin text not null,
  changed_at bigint not null
);

-- Every change, also one that lost. The rows of this server are its outbox as well.
create table setting_changes (
  id bigserial primary key,
  key text not null,
  value jsonb not null,
  origin text not null, -- the server that the client changed it on
  seq bigint not null, -- 1, 2, 3 … in the order in which the origin committed
  changed_at bigint not null, -- microseconds since 1970 on the origin's clock
  unique (origin, seq)
);

-- One row: how far this server is.
create table sync_state (
  only_row boolean primary key default true check (only_row),
  seq bigint not null default 0, -- number of the last own change
  confirmed bigint not null default 0, -- last own change that the peer has confirmed
  applied bigint not null default 0 -- last change of the peer that is recorded here
);

insert into sync_state default values;
