using Microsoft.Net.Http.Headers;

namespace Shop.ServiceDefaults;

/// <summary>The versions that a request with <c>If-Match</c> is for (RFC 9110, section 13.1.1): of two who change what both have read the second is refused, with 412.</summary>
public sealed class IfMatch
{
    /// <summary>The header.</summary>
    public const string Header = "If-Match";

    private readonly IList<EntityTagHeaderValue>? _versions;

    private IfMatch(IList<EntityTagHeaderValue>? versions) => _versions = versions;

    /// <summary>Reads the header, and adds an error where it is none.</summary>
    /// <param name="header">The header; null where the request has none, and is for any version.</param>
    /// <param name="errors">The request's errors.</param>
    public static IfMatch Parse(string? header, ValidationErrors errors)
    {
        IList<EntityTagHeaderValue>? versions = null;
        if (header is not null && !EntityTagHeaderValue.TryParseList([header], out versions))
            errors.Add(Header, "Must be * or entity tags in quotes, as ETag gave them.");
        return new(versions);
    }

    /// <summary>Whether the request is for a version; where there is nothing yet, null, it is only without the header.</summary>
    public bool Includes(EntityTagHeaderValue? current) =>
        _versions is null || (current is not null && _versions.Any(version => version.Equals(EntityTagHeaderValue.Any) || version.Compare(current, useStrongComparison: true)));
}
