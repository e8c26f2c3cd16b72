-- `app` owns everything, as in every lab.
SET ROLE app;

-- #region items
CREATE SEQUENCE item_version;

CREATE TABLE items (
  key text PRIMARY KEY,
  value jsonb NOT NULL,
  version bigint NOT NULL,
  updated_at timestamptz NOT NULL
);

-- One sequence for all rows: a later state of a key has a larger version, also after DELETE and INSERT.
CREATE FUNCTION next_version() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
  NEW.version := nextval('item_version');
  NEW.updated_at := now();
  RETURN NEW;
END$$;

CREATE TRIGGER next_version BEFORE INSERT OR UPDATE ON items
  FOR EACH ROW EXECUTE FUNCTION next_version();
-- #endregion items

RESET ROLE;
