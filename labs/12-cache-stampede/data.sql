SET ROLE app;

CREATE TABLE data (
  key text PRIMARY KEY,
  value jsonb NOT NULL,
  version bigint NOT NULL DEFAULT 0,
  access_count int NOT NULL DEFAULT 0
);

CREATE SEQUENCE data_version;

-- Every INSERT and every change of a value gets a version larger than all before it.
CREATE FUNCTION next_version() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.version := nextval('data_version'); RETURN NEW; END $$;

CREATE TRIGGER data_version BEFORE INSERT OR UPDATE OF value ON data
FOR EACH ROW EXECUTE FUNCTION next_version();

RESET ROLE;
