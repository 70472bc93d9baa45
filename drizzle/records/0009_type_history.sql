-- What a facility published of one type, by when: the feed that its other systems follow. Versions in their order of time, the
-- current ones and the earlier.
create index document_feed on document (facility, type, published, id);
--> statement-breakpoint
create index document_version_feed on document_version (facility, type, published, id, version);
