CREATE TABLE heartbeat (one boolean PRIMARY KEY DEFAULT true CHECK (one), at timestamptz NOT NULL);
INSERT INTO heartbeat VALUES (true, clock_timestamp());
