namespace Shop.EndToEnd.Fuzzing;

/// <summary>What programs stumble over.</summary>
internal static class NastyValues
{
    /// <summary>Texts, for whatever a text is put into; none of them is what a leak would look like.</summary>
    public static readonly string[] Texts =
    [
        "", " ", "\t", "0", "-1", "null", "true", "undefined", "NaN", "x", "\0", "a\0b", "\u0001\u0008\u007f", "\r\nX-Injected: yes", "é", "ß", "日本", "😀", "\u202etxt", "\ufeff", "\ufffe", "\u0130",
        "A\u0301\u0301\u0301\u0301", "' OR 1=1 --", "'; DROP TABLE orders; --", "\" OR \"\"=\"", "1; SELECT pg_sleep(10)", "%' ESCAPE '", "%_\\", "\\", "{{7*7}}", "${7*7}", "#{7*7}",
        "${jndi:ldap://127.0.0.1/x}", "<script>alert(1)</script>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "$(id)", "`id`", "| id", "../../../../etc/passwd", "..\\..\\windows\\win.ini", "file:///etc/passwd", "%00", "%2e%2e%2f",
        "%s%n%x", "{0}{1}", "{", "[", "mug-blue ", "MUG-BLUE", "4111 1111 1111 1111", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
        "2026-02-30T00:00:00Z", "2026-11-29T24:00:00Z", "2026-11-29", "+012026-11-29T00:00:00Z", "infinity", "P1Y", "PT0S", "-PT1S", "P99999999999Y", "PT9223372036854775807S", "00:00:01", "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff", "018f0000-0000-7000-8000-000000000000", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "1e400", "0x7f", "1,000", "١٢٣",
        new('a', 65), new('a', 300), new('\'', 2_000), new('é', 5_000),
    ];

    /// <summary>JSON, for whatever JSON is put into; not all of it is valid.</summary>
    public static readonly string[] Json =
    [
        "null", "true", "0", "-0", "-1", "1", "1.5", "0.001", "1e2", "1e400", "-1e400", "1e-400", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "1e9223372036854775808",
        "79228162514264337593543950335", "79228162514264337593543950336", "0.00000000000000000000000000001", "1.0000000000000000000000000000000000001", "NaN", "Infinity", "01", "+1", ".5", "1.", "0x10", "[]", "{}", "[[]]", "[null]", "[{}]",
        "{\"\":\"\"}", "{\"a\":1,\"a\":2}", "{\"__proto__\":{\"x\":1}}", "{\"$type\":\"x\",\"$ref\":\"#\"}", "\"\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"\\x\"", "\"\n\"", "'x'", "undefined", "/* x */ 1",
        new string('[', 100) + new string(']', 100), new string('[', 5_000), string.Concat(Enumerable.Repeat("{\"a\":", 200)) + "1" + new string('}', 200), "[" + string.Join(',', Enumerable.Repeat("0", 3_000)) + "]",
        new string('9', 400), "0." + new string('0', 400) + "1",
    ];

    /// <summary>What is put behind a path or in place of a part of it.</summary>
    public static readonly string[] PathParts =
    [
        "/", "//", "/.", "/..", "/../..", "/%2e%2e/%2e%2e", "/..%2f..%2f", "/..;/", ";a=b", "/%00", "%00", "%", "%zz", "%2", "%ff", "%c0%ae%c0%ae", "%u0041", "/%5c..%5c", "\\", "?", "??", "?&&=", "?%00=%00", "?limit=%00", "?a[]=1&a[0]=2", "#x", ".json",
        "/*", "/'", "/{id}", "/true", "/😀", "/%F0%9F%98%80", "/é", "/%0d%0aX-Injected:yes", "/ x", "/|", "/\u0001",
    ];

    /// <summary>Names and values of headers.</summary>
    public static readonly string[] HeaderNames =
    [
        "Accept", "Accept-Encoding", "Accept-Language", "Content-Encoding", "Content-Language", "Content-MD5", "Content-Range", "Cookie", "Expect", "Forwarded", "From", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
        "Last-Event-ID", "Max-Forwards", "Origin", "Prefer", "Range", "Referer", "TE", "Upgrade", "User-Agent", "Via", "X-Anti-Forgery", "X-Device-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-HTTP-Method-Override", "X-Original-URL",
        "X-Rewrite-URL", "baggage", "traceparent", "tracestate", "Sec-WebSocket-Key", "Idempotency-Key", "X-Device-Key",
    ];

    public static readonly string[] ContentTypes =
    [
        "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/json; charset=klingon", "application/json;;", "application/problem+json", "*/*", "json", "application/octet-stream",
        "application/json; charset=\"utf-8\"", "application/merge-patch+json",
    ];

    public static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "get", "X"];
}
