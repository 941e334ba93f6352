-- What the services may do outside their own schema: know the keys, and keep the versions of the policy.
GRANT USAGE ON SCHEMA access TO complaint_loop_intake, complaint_loop_ownership, complaint_loop_escalation;
GRANT SELECT ON ALL TABLES IN SCHEMA access
    TO complaint_loop_intake, complaint_loop_ownership, complaint_loop_escalation;
GRANT INSERT ON access.policies TO complaint_loop_intake, complaint_loop_ownership, complaint_loop_escalation;
