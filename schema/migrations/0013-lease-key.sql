-- SPDX-License-Identifier: Apache-2.0
-- Nodes count epochs each for itself: one is unique in one block's term only.
set local search_path = ve, ext;

alter table lease drop constraint lease_epoch_key,
  add constraint lease_epoch_key unique (block_id, address, epoch);
comment on constraint lease_epoch_key on lease is
  'a block is one node''s for one term; that node''s next term may count from 1 again, when it was made anew';

create index audit_lease_alarm_idx on audit ((detail ->> 'node'), (detail ->> 'address'), (detail ->> 'epoch'))
  where action = 'lease.alarm';
