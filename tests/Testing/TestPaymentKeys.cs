using System.Security.Cryptography;

namespace Shop.Testing;

/// <summary>Payments' key pair in tests, as settings have it.</summary>
public static class TestPaymentKeys
{
    private static readonly ECDiffieHellman Key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The setting <c>PaymentTokens:PublicKey</c> of Orders.</summary>
    public static string Public { get; } = Convert.ToBase64String(Key.ExportSubjectPublicKeyInfo());

    /// <summary>The setting <c>PaymentTokens:PrivateKey</c> of Payments.</summary>
    public static string Private { get; } = Convert.ToBase64String(Key.ExportPkcs8PrivateKey());
}
