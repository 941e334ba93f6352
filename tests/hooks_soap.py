"""Salesforce's outbound messages, as Salesforce writes them."""

from __future__ import annotations


def message(kind: str, *records: dict[str, str | None], organization: str = "00D000000000001AAA") -> str:
    """One message with a notification for each record; None is a field that is nil."""
    told = ""
    for number, fields in enumerate(records):
        inside = "".join(
            f'<sf:{name} xsi:nil="true"/>' if value is None else f"<sf:{name}>{value}</sf:{name}>"
            for name, value in fields.items()
        )
        told += (
            f"<Notification><Id>04l-{fields.get('Id')}-{number}</Id>"
            f'<sObject xsi:type="sf:{kind}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{inside}</sObject>'
            "</Notification>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId><ActionId>04k</ActionId><SessionId xsi:nil='true'/>"
        f"<EnterpriseUrl>https://x.my.salesforce.com</EnterpriseUrl>{told}</notifications></soapenv:Body>"
        "</soapenv:Envelope>"
    )
