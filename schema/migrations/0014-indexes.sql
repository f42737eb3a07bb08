-- SPDX-License-Identifier: Apache-2.0
-- What is looked up often and grows for ever is found by an index.
set local search_path = ve, ext;

create index job_veid_idx on job (veid, id);
create index job_finished_idx on job (finished_at) where finished_at is not null;
create index mail_confirms_idx on mail (confirms, id) where confirms is not null;
