using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A random value. Aspire's alphabet: letters and digits without those that look alike, and some special characters.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    /// <summary>Its length in characters.</summary>
    public int MinLength { get; set; } = 22;

    /// <summary>Whether it may contain special characters.</summary>
    public bool Special { get; set; } = true;

    /// <inheritdoc/>
    public override string GetDefaultValue() =>
        RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ0123456789" + (Special ? "-_.{}~()*+!" : ""), MinLength);
}
