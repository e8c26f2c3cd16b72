CREATE TABLE greetings (name text PRIMARY KEY, count int NOT NULL);
GRANT SELECT, INSERT, UPDATE ON greetings TO app;
