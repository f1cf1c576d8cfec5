using System.Security.Cryptography;
using System.Text;
using Shop.Contracts;

namespace Shop.Orders;

/// <summary>Tells whether two orders go to the same place, without saying where.</summary>
public static class AddressHash
{
    /// <summary>
    /// SHA-256, in hexadecimal digits, of street, city, postal code and country without case, accents, punctuation and spaces: an address is
    /// written in many ways. Not the name: several people live in one place.
    /// </summary>
    public static string Of(Address address)
    {
        var text = new StringBuilder();
        foreach (var part in (ReadOnlySpan<string>)[address.Street, address.City, address.PostalCode, address.Country])
        {
            foreach (var letter in part.Normalize(NormalizationForm.FormKD))
            {
                if (char.IsLetterOrDigit(letter))
                    text.Append(char.ToUpperInvariant(letter));
            }
            text.Append('\n');
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
