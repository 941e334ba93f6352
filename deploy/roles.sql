-- One role a service: it owns its schema and sees nothing of its neighbours'. Nobody signs in as these roles; the
-- user of DATABASE_URL becomes them.
DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['intake', 'ownership', 'escalation'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'complaint_loop_' || service) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', 'complaint_loop_' || service);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- made by another database of the same server meanwhile
            END;
        END IF;
        IF NOT pg_has_role(current_user, 'complaint_loop_' || service, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', 'complaint_loop_' || service);
        END IF;
    END LOOP;
END
$$;
