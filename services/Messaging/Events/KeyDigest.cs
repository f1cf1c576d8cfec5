using System.Security.Cryptography;
using System.Text;

namespace Shop.Messaging.Events;

/// <summary>
/// By which keys are indexed: an index entry holds some 2,700 bytes, and a key may be as long as a record. Two keys of one digest are not
/// to be found by anybody, so equal digests mean equal keys.
/// </summary>
internal static class KeyDigest
{
    /// <summary>
    /// The same in SQL, of the column <c>key</c>. Only from functions that are immutable, as a generated column asks for; <c>convert_to</c> is
    /// not, but in a database in UTF-8, as ours are, the text's bytes are what <c>decode</c> gives for a text without escapes.
    /// </summary>
    public const string Sql = @"sha256(decode(replace(key, '\', '\\'), 'escape'))";

    /// <summary>The digest of a key: SHA-256 of its UTF-8.</summary>
    public static byte[] Of(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>The digests of keys, in their order.</summary>
    public static byte[][] Of(IReadOnlyCollection<string> keys) => [.. keys.Select(Of)];
}
