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
  quantity int not null
);
