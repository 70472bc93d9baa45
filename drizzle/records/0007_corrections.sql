-- A deletion is a version, too: without a body, and without an end.
alter table document_version add column deleted integer not null default 0 check (deleted in (0, 1));
--> statement-breakpoint
drop trigger document_supersede;
--> statement-breakpoint
create trigger document_supersede before update of hash on document when old.hash <> new.hash begin
  insert or ignore into document_version
    select old.type, old.id, old.version, old.source_record, old.facility, old.domain, old.category, old.code, old.date_lo,
           old.date_hi, old.status, old.confidentiality, old.published, old.clock, old.hash, old.body, 0;
end;
--> statement-breakpoint
drop trigger document_leave;
--> statement-breakpoint
create trigger document_leave before delete on document begin
  insert or ignore into document_version
    select old.type, old.id, old.version, old.source_record, old.facility, old.domain, old.category, old.code, old.date_lo,
           old.date_hi, old.status, old.confidentiality, old.published, old.clock, old.hash, old.body, 0;
end;
--> statement-breakpoint
-- Of these types the column held another element, or none; of all others it is right.
update document set status = 'entered-in-error'
where status <> 'entered-in-error'
  and type in ('AllergyIntolerance', 'Condition', 'DocumentReference', 'DeviceMetric', 'Endpoint', 'EnrollmentResponse',
    'PaymentNotice', 'PaymentReconciliation', 'Slot', 'Substance', 'TestReport')
  and ('entered-in-error' in (body ->> '$.status', body ->> '$.docStatus', body ->> '$.operationalStatus')
    or exists (select 1 from json_each(body, '$.verificationStatus.coding') where value ->> 'code' = 'entered-in-error'));
