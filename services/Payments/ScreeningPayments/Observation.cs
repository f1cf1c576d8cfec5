using System.Runtime.InteropServices;

namespace Shop.Payments.ScreeningPayments;

/// <summary>What is remembered of one payment in a history. Its layout is stored: 32 bytes, little-endian.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct Observation
{
    /// <summary>When, in seconds since 1970.</summary>
    public uint At;

    /// <summary>Few bytes of the payment's id: to find it again when more is known of it.</summary>
    public uint Payment;

    /// <summary>The short key of the card.</summary>
    public uint Card;

    /// <summary>The short key of the shopper.</summary>
    public uint Shopper;

    /// <summary>The short key of the device; 0 where it was not known.</summary>
    public uint Device;

    /// <summary>The short key of the address; 0 where it was not known.</summary>
    public uint Address;

    /// <summary>The amount as a multiple of what was usual then.</summary>
    public float Amount;

    /// <summary>The country's two letters; 0 where it was not known.</summary>
    public ushort Country;

    /// <summary>What else is known.</summary>
    public ObservationMarks Marks;

    /// <summary>Whether screening stopped it and no operator has let it pass.</summary>
    public readonly bool IsStopped => (Marks & (ObservationMarks.Stopped | ObservationMarks.Approved)) == ObservationMarks.Stopped;

    /// <summary>Whether it taints what follows: stopped for its own grounds, or one suspicion would breed the next for ever.</summary>
    public readonly bool IsSuspect => IsStopped && (Marks & ObservationMarks.OnOwnGrounds) != 0;

    /// <summary>Whether the bank refused it.</summary>
    public readonly bool IsDeclined => (Marks & ObservationMarks.Declined) != 0;

    /// <summary>Whether it speaks for those who took part in it.</summary>
    public readonly bool IsClean => !IsStopped && !IsDeclined;
}

/// <summary>What is known of a payment in a history.</summary>
[Flags]
public enum ObservationMarks : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The bank refused it.</summary>
    Declined = 1,

    /// <summary>Screening held or declined it.</summary>
    Stopped = 2,

    /// <summary>An operator approved it.</summary>
    Approved = 4,

    /// <summary>Its shopper was new.</summary>
    FreshShopper = 8,

    /// <summary>Its card had not been seen before.</summary>
    NewCard = 16,

    /// <summary>Its device had not been seen before.</summary>
    NewDevice = 32,

    /// <summary>Its address had not been seen before.</summary>
    NewAddress = 64,

    /// <summary>It was stopped for its own grounds, and not only for following one that was.</summary>
    OnOwnGrounds = 128,
}
