using Microsoft.EntityFrameworkCore;
using Shop.Messaging.Events;

namespace Shop.Messaging.DeadLetters;

/// <summary>What a service may ask about its keys that wait for an operator.</summary>
public static class ParkedKeys
{
    /// <summary>Those of <paramref name="keys"/> that are parked, each with its dead letter.</summary>
    /// <param name="db">The service's database.</param>
    /// <param name="endpoint">The endpoint, <c>service.name</c>.</param>
    /// <param name="keys">Record keys.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the answer any more.</param>
    public static Task<Dictionary<string, Guid>> ParkedKeysAsync(this MessagingDbContext db, string endpoint, IReadOnlyCollection<string> keys, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<ParkedKey>($"""
            SELECT key, id FROM dead_letters
            WHERE endpoint = {endpoint} AND status IN ('parked', 'redriving') AND key_digest = ANY({KeyDigest.Of(keys)})
            """).ToDictionaryAsync(letter => letter.Key, letter => letter.Id, StringComparer.Ordinal, cancellationToken);

    private sealed record ParkedKey(string Key, Guid Id);
}
