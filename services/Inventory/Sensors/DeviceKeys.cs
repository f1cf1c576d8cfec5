using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Shop.Inventory.Sensors;

/// <summary>Keys of devices: random, so that a digest of one tells nobody the key, and needs neither salt nor stretching.</summary>
internal static class DeviceKeys
{
    private const int KeyBytes = 32;

    /// <summary>A new key, with the digest that is kept of it.</summary>
    public static (string Key, byte[] Digest) Create()
    {
        var key = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyBytes));
        return (key, DigestOf(key));
    }

    /// <summary>What is kept of a key.</summary>
    public static byte[] DigestOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Whether it is the key, in a time that tells nothing of it.</summary>
    public static bool Matches(string key, byte[] digest) => CryptographicOperations.FixedTimeEquals(DigestOf(key), digest);
}
