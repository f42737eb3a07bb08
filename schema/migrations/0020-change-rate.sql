-- SPDX-License-Identifier: Apache-2.0
-- What somebody does is written down for ever: so much of it in an hour.
set local search_path = ve, ext;

insert into rate_rule values ('change', interval '1 hour', 300);
