CREATE TABLE products (
  id text PRIMARY KEY,
  name text NOT NULL,
  price int NOT NULL,
  stock int NOT NULL,
  version bigint NOT NULL DEFAULT 1
);
ALTER TABLE products OWNER TO app;

-- Whoever changes a product, by whatever way, gives it a new version.
CREATE FUNCTION next_version() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.version := OLD.version + 1; RETURN NEW; END $$;
CREATE TRIGGER next_version BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION next_version();

-- What the cache has still to be told. Yours to use.
CREATE TABLE cache_outbox (
  id bigserial PRIMARY KEY,
  product_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE cache_outbox OWNER TO app;
