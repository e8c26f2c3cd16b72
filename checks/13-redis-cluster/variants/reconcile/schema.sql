-- When each product was changed last: written by whoever changes it, in the same transaction.
CREATE TABLE changed_products (id text PRIMARY KEY REFERENCES products, changed_at timestamptz NOT NULL);
CREATE INDEX ON changed_products (changed_at);

CREATE FUNCTION remember_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  INSERT INTO changed_products VALUES (NEW.id, clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET changed_at = clock_timestamp();
  RETURN NULL;
END $$;
CREATE TRIGGER remember_change AFTER UPDATE ON products FOR EACH ROW EXECUTE FUNCTION remember_change();
