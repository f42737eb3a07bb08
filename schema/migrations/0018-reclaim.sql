-- SPDX-License-Identifier: Apache-2.0
-- Kernel memory and dentries are reclaimed before they are refused, as Documentation/admin-guide/ve.rst has it.
set local search_path = ve, ext;

update bean set kind = 'reclaim' where name in ('kmemsize', 'dcachesize');
