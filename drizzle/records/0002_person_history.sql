-- The persons that source records were about before they were joined with others: from write clock `clock` until `until`,
-- exclusive. Written by trigger only, so that no join can forget it: a past decision is explained from the person it was
-- about.
create table source_record_version (
  id text not null,
  person text not null,
  clock integer not null,
  until integer not null,
  primary key (id, clock)
) strict, without rowid;
--> statement-breakpoint
create index source_record_version_person on source_record_version (person);
--> statement-breakpoint
create trigger source_record_supersede before update of person on source_record when old.person <> new.person begin
  insert into source_record_version values (old.id, old.person, old.clock, new.clock);
end;
--> statement-breakpoint
create trigger source_record_version_frozen before update on source_record_version begin
  select raise(abort, 'source_record_version is append-only');
end;
--> statement-breakpoint
create trigger source_record_version_kept before delete on source_record_version begin
  select raise(abort, 'source_record_version is append-only');
end;
