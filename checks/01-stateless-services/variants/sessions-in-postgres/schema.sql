create table messages (
  id bigserial primary key,
  channel text not null,
  author text not null,
  text text not null
);

create table files (
  name text primary key,
  content_type text not null,
  body bytea not null,
  etag text not null
);

create table orders (
  id bigserial primary key,
  item text not null,
  quantity int not null,
  -- Order and key are one row: they are committed together, or neither of them ever was.
  idempotency_key text unique,
  fingerprint text
);

create table sessions (
  token_hash text primary key,
  user_name text not null,
  ends timestamptz not null
);

create table page_views (
  page text primary key,
  views int not null
);
