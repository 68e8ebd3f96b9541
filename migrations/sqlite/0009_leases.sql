-- Who answers for whom is written on the tiers, where all workers see it: a journal has nothing to keep of it.
SELECT 1;
